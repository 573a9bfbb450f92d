select
    products.product_id,
    products.product_name,
    products.category,
    sum(items.quantity) as pieces_sold,
    sum(items.line_amount) as revenue
from {{ ref('silver_products') }} as products
inner join {{ ref('silver_order_items') }} as items
    on products.product_id = items.product_id
inner join {{ ref('silver_orders') }} as orders
    on items.order_id = orders.order_id
where orders.status <> 'returned'
group by products.product_id, products.product_name, products.category
