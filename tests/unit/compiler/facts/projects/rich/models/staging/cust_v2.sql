select 1 as id, 2 as new from {{ ref('stg_orders') }}
