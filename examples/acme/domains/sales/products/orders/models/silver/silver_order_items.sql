select
    items.order_item_id,
    items.order_id,
    items.product_id,
    items.quantity,
    cast(items.quantity * products.unit_price as decimal(12, 2)) as line_amount
from {{ ref('bronze_order_items') }} as items
inner join {{ ref('bronze_products') }} as products
    on items.product_id = products.product_id
