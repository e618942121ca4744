with

screening_questions as (
    {{ newest_rows('screening_questions') }}
),

final as (
    select
        id as question_id,
        title,
        format_type,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from screening_questions
)

select * from final
