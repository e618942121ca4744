with

{{ link_periods(
    ref('stg_ats__job_screening_question_versions'),
    ['job_id', 'question_id'],
    ['question_index', 'is_required', 'precondition_question_id']
) }},

final as (
    select
        job_id,
        question_id,
        period_number,
        question_index,
        is_required,
        precondition_question_id,
        observed_from_at,
        observed_to_at
    from periods
)

select * from final
