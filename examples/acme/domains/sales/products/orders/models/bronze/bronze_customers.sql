select
    cast(customer_id as integer) as customer_id,
    cast(email as varchar) as email,
    cast(country as varchar) as country,
    cast(created_on as date) as created_on
from {{ ref('raw_customers') }}
