select
    customer_id,
    lower(trim(email)) as email,
    sha256(lower(trim(email))) as email_hash,
    upper(country) as country,
    created_on
from {{ ref('bronze_customers') }}
