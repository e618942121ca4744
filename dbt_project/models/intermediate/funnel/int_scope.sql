{%- set named = ['category', 'city', 'channel'] -%}

with

applications as (
    select
        coalesce(job_id, 'unknown') as job_id,
        coalesce(source, 'unknown') as source,
        count(*) as n_applications
    from {{ ref('fct_application') }}
    group by all
),

jobs as (
    select * from {{ ref('int_job') }}
),

sources as (
    select * from {{ ref('int_source') }}
),

described as (
    select
        applications.job_id,
        applications.source,
        applications.n_applications,
        coalesce(jobs.category, 'unknown') as category,
        coalesce(jobs.city, 'unknown') as city,
        coalesce(sources.channel, 'OTHER') as channel
    from applications
    left join jobs on applications.job_id = jobs.job_id
    left join sources on applications.source = sources.source
),

counted as (
    select
        *,
        {% for name in named -%}
            sum(n_applications) over (partition by {{ name }}) >= {{ var('minimum_n') }} as is_{{ name }}_told,
        {% endfor -%}
        n_applications >= {{ var('minimum_n') }} as is_source_told
    from described
),

-- A group of fewer than minimum_n applications in all is computed together with the others like it. Where that leaves
-- no group with a name, the scope tells nothing.
final as (
    select
        job_id,
        source,
        n_applications,
        {% for name in named -%}
            case
                when bool_or(is_{{ name }}_told and {{ name }} <> 'unknown') over ()
                    then if(is_{{ name }}_told, {{ name }}, '(other)')
            end as {{ name }}_key,
        {% endfor -%}
        case
            when bool_or(is_source_told) over (partition by job_id) and job_id <> 'unknown'
                then job_id || '/' || if(is_source_told, source, '(other)')
        end as job_source_key
    from counted
)

select * from final
