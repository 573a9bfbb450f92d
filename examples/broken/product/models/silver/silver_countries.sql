select
    customer_id,
    country as "CountryCode"
from {{ ref('gold_customers') }}
