select 1 as id, 2 as extra from {{ ref('stg_orders') }}
