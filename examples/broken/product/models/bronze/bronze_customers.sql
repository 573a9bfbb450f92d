select
    customer_id,
    email,
    country
from {{ ref('raw_customers') }}
