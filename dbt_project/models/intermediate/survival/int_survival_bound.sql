{{ config(materialized='view') }}
{%- set every = ['overall', 'source_quarter'] + scopes().keys() | list -%}

-- Kaplan–Meier curves are drawn with all exits at lo and with all at hi. Competing incidences are also drawn with each
-- cause at lo and the others at hi, and the reverse: the ribbon of a cause lies between its least and its greatest
-- curve. Curves of one job, of a source in it and of a source's quarter are about few people: they get fewer bounds,
-- and only the questions with one answer for each. Those of categories, cities and channels get fewer bounds, too.
with

ends as (
    select
        unnest(['lo', 'hi']) as bound,
        unnest([false, true]) as is_hi
),

scopes as (
    select unnest({{ every }}) as scope
),

questions as (
    select unnest(['decision', 'hire', 'leave_screening', 'leave_interim', 'leave_offer']) as question
),

alike as (
    select
        questions.question,
        scopes.scope,
        ends.bound,
        ends.is_hi as is_hired_hi,
        ends.is_hi as is_declined_hi,
        ends.is_hi as is_vanished_hi
    from questions
    cross join scopes
    cross join ends
    where scopes.scope not in ('job', 'job_source', 'source_quarter') or questions.question in ('decision', 'hire')
),

against as (
    select
        unnest(['hired_lo', 'hired_hi', 'declined_lo', 'declined_hi', 'vanished_lo', 'vanished_hi']) as bound,
        unnest([false, true, true, false, true, false]) as is_hired_hi,
        unnest([true, false, false, true, true, false]) as is_declined_hi,
        unnest([true, false, true, false, false, true]) as is_vanished_hi
),

competing as (
    select
        'hire' as question,
        scopes.scope,
        against.bound,
        against.is_hired_hi,
        against.is_declined_hi,
        against.is_vanished_hi
    from against
    cross join scopes
    where
        scopes.scope in ('overall', 'source')
        or (scopes.scope not in ('job', 'job_source') and against.bound in ('hired_lo', 'hired_hi'))
),

final as (
    select * from alike
    union all
    select * from competing
)

select * from final
