select
    product_id,
    trim(product_name) as product_name,
    lower(category) as category,
    unit_price
from {{ ref('bronze_products') }}
