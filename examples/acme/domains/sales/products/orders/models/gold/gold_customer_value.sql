with revenue as (
    select
        orders.customer_id,
        count(distinct orders.order_id) as order_count,
        sum(items.line_amount) as revenue
    from {{ ref('silver_orders') }} as orders
    inner join {{ ref('silver_order_items') }} as items
        on orders.order_id = items.order_id
    where orders.status <> 'returned'
    group by orders.customer_id
)

select
    customers.customer_id,
    customers.email_hash,
    customers.country,
    coalesce(revenue.order_count, 0) as order_count,
    coalesce(revenue.revenue, 0) as revenue
from {{ ref('silver_customers') }} as customers
left join revenue
    on customers.customer_id = revenue.customer_id
