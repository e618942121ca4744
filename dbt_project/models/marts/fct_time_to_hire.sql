with

applications as (
    select * from {{ ref('fct_application') }}
),

-- A historic hire tells only by when it had happened, and so only an upper bound.
final as (
    select
        application_key,
        job_id,
        candidate_key,
        source,
        applied_at,
        hired_at_lo,
        hired_at,
        hired_at_hi,
        hired_evidence,
        {{ local_date('hired_at') }} as hired_on,
        case when not is_historic then {{ days_between('applied_at_hi', 'hired_at_lo') }} end as days_to_hire_lo,
        case when not is_historic then {{ days_between('applied_at', 'hired_at') }} end as days_to_hire,
        {{ days_between('applied_at_lo', 'hired_at_hi') }} as days_to_hire_hi,
        is_historic,
        is_left_truncated,
        is_deleted
    from applications
    where status = 'HIRED'
)

select * from final
