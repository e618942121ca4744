with

final as (
    select
        question_id,
        title,
        format_type,
        remote_deleted_at is not null as is_deleted
    from {{ ref('stg_ats__screening_questions') }}
)

select * from final
