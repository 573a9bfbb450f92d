select
    cast(order_id as integer) as order_id,
    cast(customer_id as integer) as customer_id,
    cast(status as varchar) as status,
    cast(ordered_on as date) as ordered_on
from {{ ref('raw_orders') }}
