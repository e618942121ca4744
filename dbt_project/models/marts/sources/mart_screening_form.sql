with

questions as (
    select * from {{ ref('bridge_job_question') }}
),

formats as (
    select * from {{ ref('stg_ats__screening_questions') }}
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

-- Running counts of each job's applications in the order in which they came: how many there were, and what became of
-- them at SCREENING.
arrivals as (
    select
        job_id,
        applied_at,
        count(*) over history as n_applications,
        count(*) filter (where furthest_milestone_rank > 1) over history as n_moved_on,
        count(*) filter (
            where furthest_milestone_rank = 1 and status in ('DECLINED', 'VANISHED')
        ) over history as n_out
    from {{ ref('fct_application') }}
    where job_id is not null
    window history as (partition by job_id order by applied_at)
),

asked as (
    select
        questions.job_id,
        questions.question_id,
        questions.period_number,
        questions.question_index,
        questions.is_required,
        questions.precondition_question_id,
        questions.observed_from_at,
        questions.observed_to_at,
        coalesce(questions.observed_to_at, as_of.as_of) as until_at
    from questions
    cross join as_of
),

-- Applications made while the question was asked: those until the period's end, less those until its beginning.
periods as (
    select
        asked.job_id,
        asked.question_id,
        asked.period_number,
        asked.question_index,
        asked.is_required,
        asked.precondition_question_id,
        asked.observed_from_at,
        asked.observed_to_at,
        asked.until_at,
        coalesce(at_end.n_applications, 0) - coalesce(at_begin.n_applications, 0) as n_applications,
        coalesce(at_end.n_moved_on, 0) - coalesce(at_begin.n_moved_on, 0) as n_moved_on,
        coalesce(at_end.n_out, 0) - coalesce(at_begin.n_out, 0) as n_out
    from asked
    asof left join arrivals as at_end on asked.job_id = at_end.job_id and asked.until_at >= at_end.applied_at
    asof left join arrivals as at_begin
        on asked.job_id = at_begin.job_id and asked.observed_from_at >= at_begin.applied_at
),

-- A question that was taken off a form and put on again has two periods.
merged as (
    select
        job_id,
        question_id,
        arg_max(question_index, period_number) as question_index,
        arg_max(is_required, period_number) as is_required,
        arg_max(precondition_question_id, period_number) is not null as is_conditional,
        min(observed_from_at) as asked_from_at,
        case when not bool_or(observed_to_at is null) then max(observed_to_at) end as asked_to_at,
        sum({{ days_between('observed_from_at', 'until_at') }}) as days_asked,
        cast(sum(n_applications) as bigint) as n_applications,
        cast(sum(n_moved_on) as bigint) as n_moved_on,
        cast(sum(n_out) as bigint) as n_out
    from periods
    group by job_id, question_id
),

forms as (
    select
        job_id,
        count(*) as n_questions,
        count(*) filter (where is_required) as n_required
    from questions
    where observed_to_at is null
    group by job_id
),

final as (
    select
        merged.job_id,
        merged.question_id,
        formats.format_type,
        merged.question_index,
        merged.is_required,
        merged.is_conditional,
        merged.asked_to_at is null as is_asked_now,
        merged.asked_from_at,
        merged.asked_to_at,
        merged.days_asked,
        coalesce(forms.n_questions, 0) as n_questions_of_form,
        coalesce(forms.n_required, 0) as n_required_of_form,
        merged.n_applications,
        merged.n_applications / nullif(merged.days_asked, 0) as applications_per_day,
        merged.n_moved_on,
        merged.n_out,
        {{ rate('merged.n_moved_on', '(merged.n_moved_on + merged.n_out)') }} as pass_through,
        {{ wilson('merged.n_moved_on', '(merged.n_moved_on + merged.n_out)', 'low') }} as pass_through_wilson_low,
        {{ wilson('merged.n_moved_on', '(merged.n_moved_on + merged.n_out)', 'high') }} as pass_through_wilson_high
    from merged
    left join formats on merged.question_id = formats.question_id
    left join forms on merged.job_id = forms.job_id
)

select * from final
