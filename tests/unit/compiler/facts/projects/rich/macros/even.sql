{% macro helper(a, b=1) %}
  {{ a }}
{% endmacro %}
{% test is_even(model, column_name) %}
select 1
{% endtest %}
{% test dbt_utils_like(model, x) %}
select 1
{% endtest %}
