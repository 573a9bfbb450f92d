select
    customer_id,
    country
from {{ ref('bronze_customers') }}
