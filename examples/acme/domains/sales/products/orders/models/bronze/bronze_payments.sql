select
    cast(payment_id as integer) as payment_id,
    cast(order_id as integer) as order_id,
    cast(payment_method as varchar) as payment_method,
    cast(amount as decimal(12,2)) as amount
from {{ ref('raw_payments') }}
