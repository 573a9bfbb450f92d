select
    order_id,
    customer_id,
    lower(status) as status,
    ordered_on
from {{ ref('bronze_orders') }}
