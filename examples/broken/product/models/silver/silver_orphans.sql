select
    customer_id
from {{ ref('bronze_orders') }}
