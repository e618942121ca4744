with

periods as (
    select * from {{ ref('int_job_team') }}
),

-- Members are numbered within their job. Readers get their keys only where figures per person are switched on.
final as (
    select
        job_id,
        dense_rank() over (partition by job_id order by user_key) as member_number,
        case when {{ var('per_person') }} then user_key end as user_key,
        period_number,
        array_to_string(roles, ', ') as roles,
        observed_from_at,
        observed_to_at
    from periods
)

select * from final
