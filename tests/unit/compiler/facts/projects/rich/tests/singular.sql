select * from {{ ref('mart') }} where 1=0
