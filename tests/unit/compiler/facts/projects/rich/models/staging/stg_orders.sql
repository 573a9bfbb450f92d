select 1 as id, 'e' as email from {{ source('shop', 'orders') }}
