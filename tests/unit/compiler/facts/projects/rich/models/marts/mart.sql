{{ config(materialized='incremental', unique_key=['id','x'], incremental_strategy='delete+insert', tags=['m', 'all'], meta={'layer': 'mart'}, on_schema_change='fail') }}
{# comment ref('nope') #}
select a.*, b.new from {{ ref('cust') }} a join {{ ref('cust', v=2) }} b using (id)
{% if is_incremental() %} where 1=1 {% endif %}
left join {{ ref('rich', 'codes') }} c on true
join main.other.table_x t on true
-- join not.counted
