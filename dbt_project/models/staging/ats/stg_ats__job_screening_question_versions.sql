with

job_screening_questions as (
    select * from {{ source('ats_history', 'job_screening_questions') }}
),

final as (
    select
        job_id,
        question_id,
        index as question_index,
        required as is_required,
        precondition_question_id,
        precondition_options,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from job_screening_questions
)

select * from final
