select
    payment_id,
    order_id,
    lower(payment_method) as payment_method,
    amount
from {{ ref('bronze_payments') }}
