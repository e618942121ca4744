-- A made-up company in the tables that load writes: n applications in two years of daily syncs, each seventh full.
-- Hashes draw it, so that it is the same each time. Days count from the first sync. A job takes applications for 120
-- days. An application waits some days at a time, moves on, sometimes back, and is declined, hired, deleted or open in
-- the end.
create macro u(a, salt) as (hash(a, salt) >> 11) / 9007199254740992.0;
create macro at_day(days) as timestamptz '2024-01-01 04:00:00+00' + to_microseconds(cast(days * 86400e6 as bigint));
create macro sync_name(number) as 's' || printf('%06d', number);

create temp table _stages as
select unnest(['Screening', 'Interview', 'Case study', 'Offer', 'Hired']) as stage_name, unnest(range(5)) as place;

insert into ats_history.syncs by name
select
    sync_name(number) as sync_id, if(number % 7 = 0, 'full', 'incremental') as mode, 'committed' as verdict,
    at_day(number) as started_at, at_day(number) as proves_at, at_day(number + 0.02) as finished_at, at_day(number + 0.02) as as_of,
    true as is_applications_whole, if(number > 0, sync_name(number - 1), null) as previous_sync_id,
    1 as n_requests, 0 as n_unannounced, 1 as mapping_version
from range(730) as _(number);

insert into ats.as_of select as_of, sync_id from ats_history.syncs order by sync_id desc limit 1;

-- One application in twelve is older than the first sync.
create temp table _applications as
select
    a, job, 1 + a * 4 // 5 as candidate, cast(floor(10 * pow(u(a, 2), 2)) as integer) as source,
    (job * 770.0 / n_jobs) - 120 + 120 * u(a, 3) as applied_day,
    4 + cast(floor(5 * u(a, 4)) as integer) as n_steps
from (select a, a % n_jobs as job, n_jobs from range($n) as _(a), (select greatest($n // 200, 5) as n_jobs));

create temp table _events as
select
    a, step, n_steps, applied_day,
    applied_day + coalesce(sum(if(step = 0, 0, 0.2 - 9 * ln(1 - u(a, 100 + step)))) over steps, 0) as event_day,
    least(cast(sum(if(step = 0, 0, if(u(a, 200 + step) < 0.06, -1, 1))) over steps as integer), 3) as climbed,
    step = n_steps - 1 as is_last
from (select *, unnest(range(n_steps)) as step from _applications)
window steps as (partition by a order by step);

-- The first sync after a change shows it; of several changes between two syncs, the last is shown.
create temp table _versions as
select
    a, event_day, applied_day, greatest(cast(ceil(event_day) as integer), 0) as number,
    case
        when is_last and n_steps > 6 and u(a, 5) < 0.12 then 4
        else greatest(if(is_last, climbed - 1, climbed), 0)
    end as place,
    case
        when not is_last then ['APPLIED', 'ACTIVE', 'ACTIVE', 'OFFER'][1 + greatest(climbed, 0)]
        when place = 4 then 'HIRED'
        when u(a, 6) < 0.12 then ['APPLIED', 'ACTIVE', 'ACTIVE', 'OFFER'][1 + place]
        else 'REJECTED'
    end as state,
    is_last and place < 4 and u(a, 6) < 0.12 as is_deleted
from _events
where event_day < 729
qualify row_number() over (partition by a, number order by step desc) = 1;

-- no sync ever saw an application that was deleted before its first sync
delete from _versions
where a in (select a from _versions group by a having arg_min(is_deleted, number));

insert into ats_history.applications by name
select
    'application-id-' || a as id, cast(a as varchar) as remote_id,
    case state when 'HIRED' then 'HIRED' when 'REJECTED' then 'DECLINED' else 'PENDING' end as outcome,
    stage_name as current_stage_id, 'job-id-' || job as job_id, 'candidate-id-' || candidate as candidate_id,
    at_day(applied_day) as remote_created_at, at_day(event_day) as remote_updated_at,
    ['indeed', 'linkedin', 'careers page', 'stepstone', 'referral', 'xing', 'jobs.ch', 'agency', 'google', 'fair'][
        1 + source
    ] as source,
    ['QUALIFIED', 'NOT_QUALIFIED', 'UNKNOWN'][1 + cast(floor(3 * u(a, 8)) as integer)] as qualified,
    ['GIVEN', 'REQUESTED', 'REJECTED', 'NOT_REQUIRED'][1 + cast(floor(4 * u(a, 9)) as integer)] as consent_status,
    false as is_premium_source, state, at_day(number) as changed_at, if(is_deleted, at_day(number), null)
        as remote_deleted_at,
    at_day(number + 0.01) as observed_at, sync_name(number) as sync_id, md5(a || '/' || number) as content_hash,
    if(is_deleted, 'deleted', 'observed') as reason
from _versions
join _applications using (a, applied_day)
join _stages using (place)
where number <= 729
order by a, number;

insert into ats_history.candidates by name
select
    candidate_id as id, candidate_id as remote_id, any_value(source) as source, min(changed_at) as changed_at,
    min(sync_id) as sync_id, min(observed_at) as observed_at, 'observed' as reason,
    min(remote_created_at) as remote_created_at
from ats_history.applications
group by candidate_id;

insert into ats_history.jobs by name
select
    job_id as id, job_id as remote_id, 'Job ' || job_id as name, 'OPEN' as status, '{}' as custom_fields,
    'category ' || (hash(job_id) % 12) as category, {'city': 'city ' || (hash(job_id, 1) % 8)} as location,
    min(changed_at) as changed_at, min(sync_id) as sync_id, min(remote_created_at) as opened_at,
    min(remote_created_at) as remote_created_at, min(changed_at) as observed_at, 'observed' as reason
from ats_history.applications
group by job_id;

insert into ats_history.application_stages by name
select
    stage_name as id, stage_name as remote_id, stage_name as name, place as global_index, at_day(0) as changed_at,
    at_day(0) as observed_at, sync_name(0) as sync_id, 'observed' as reason
from _stages;

insert into ats_history.job_application_stages by name
select
    jobs.id || '/' || stage_name as id, jobs.id || '/' || stage_name as remote_id, jobs.id as job_id,
    stage_name as stage_id, place as index, changed_at, sync_id, observed_at, 'observed' as reason
from ats_history.jobs cross join _stages;

insert into ats_history.tags by name
select
    'tag-' || tag as id, at_day(0) as changed_at,
    at_day(0) as observed_at, sync_name(0) as sync_id, 'observed' as reason
from range(20) as _(tag);

insert into ats_history.candidate_tags by name
select
    id || '/tag-' || (hash(id) % 20) as id, id as candidate_id,
    'tag-' || (hash(id) % 20) as tag_id, changed_at, sync_id, observed_at, 'observed' as reason
from ats_history.candidates
where hash(id) % 3 = 0;

insert into ats.pseudonyms
select 'applications', 'application-id-' || a, left(md5('a' || a), 26) from range($n) as _(a)
union all
select 'candidates', id, left(md5(id), 26) from ats_history.candidates
union all
select 'tags', id, left(md5(id), 26) from ats_history.tags;
