select
    customer_id,
    email,
    country
from {{ ref('silver_customers') }}
