{{ config(schema='recruiting', materialized='view') }}

select date_on from {{ ref('dim_date') }}
