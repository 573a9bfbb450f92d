-- The revenue by day and the revenue by product are sums of the same lines, so they must agree.
with totals as (
    select
        (select sum(revenue) from {{ ref('gold_daily_revenue') }}) as by_day,
        (select sum(revenue) from {{ ref('gold_product_sales') }}) as by_product
)

select *
from totals
where by_day <> by_product
