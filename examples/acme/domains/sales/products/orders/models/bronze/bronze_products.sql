select
    cast(product_id as integer) as product_id,
    cast(product_name as varchar) as product_name,
    cast(category as varchar) as category,
    cast(unit_price as decimal(10,2)) as unit_price
from {{ ref('raw_products') }}
