select
    orders.ordered_on,
    count(distinct orders.order_id) as order_count,
    sum(items.line_amount) as revenue
from {{ ref('silver_orders') }} as orders
inner join {{ ref('silver_order_items') }} as items
    on orders.order_id = items.order_id
where orders.status <> 'returned'
group by orders.ordered_on
