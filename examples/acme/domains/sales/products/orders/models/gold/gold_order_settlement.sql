with amounts as (
    select
        order_id,
        sum(line_amount) as order_amount
    from {{ ref('silver_order_items') }}
    group by order_id
),

paid as (
    select
        order_id,
        sum(amount) as paid_amount
    from {{ ref('silver_payments') }}
    group by order_id
)

select
    amounts.order_id,
    amounts.order_amount,
    coalesce(paid.paid_amount, 0) as paid_amount,
    coalesce(paid.paid_amount, 0) >= amounts.order_amount as is_settled
from amounts
left join paid
    on amounts.order_id = paid.order_id
