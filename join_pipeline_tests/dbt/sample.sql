-- A sample (tables _truth, _versions, _syncs, and _names of stages by place) as the tables that load writes.
create table truth as
select
    'p-a' || application as application_key, job as job_id, make_timestamptz(event_at) as event_at,
    stage_name as stage_id, state, is_deleted
from _truth join _names on place = stage;

insert into ats_history.syncs by name
select
    's' || printf('%06d', number) as sync_id, mode, 'committed' as verdict, make_timestamptz(started_at) as started_at,
    make_timestamptz(started_at) as proves_at,
    make_timestamptz(finished_at) as finished_at, make_timestamptz(finished_at) as as_of,
    true as is_applications_whole, 1 as n_requests, 0 as n_unannounced, 1 as mapping_version
from _syncs;

insert into ats.as_of
select as_of, sync_id from ats_history.syncs order by sync_id desc limit 1;

insert into ats_history.applications by name
select
    'a' || application as id, 'a' || application as remote_id,
    case state when 'HIRED' then 'HIRED' when 'REJECTED' then 'DECLINED' else 'PENDING' end as outcome,
    stage_name as current_stage_id, job as job_id, 'c' || application as candidate_id,
    make_timestamptz(applied_at) as remote_created_at, make_timestamptz(event_at) as remote_updated_at,
    ['indeed', 'linkedin', 'referral', 'careers page'][1 + application % 4] as source, false as is_premium_source,
    state, started_at as changed_at, case when is_deleted then started_at end as remote_deleted_at,
    make_timestamptz(observed_at) as observed_at, sync_id, if(is_deleted, 'deleted', 'observed') as reason
from _versions
join ats_history.syncs on sync_id = 's' || printf('%06d', number)
join _names on place = stage;

insert into ats_history.candidates by name
select
    candidate_id as id, candidate_id as remote_id, source, changed_at, sync_id, changed_at as observed_at,
    'observed' as reason, remote_created_at
from ats_history.applications
qualify row_number() over (partition by id order by sync_id) = 1;

insert into ats_history.jobs by name
select
    job_id as id, job_id as remote_id, job_id as name, 'OPEN' as status, '{}' as custom_fields,
    min(changed_at) as changed_at, min(sync_id) as sync_id, min(remote_created_at) as opened_at,
    min(remote_created_at) as remote_created_at, min(changed_at) as observed_at, 'observed' as reason
from ats_history.applications
group by job_id;

insert into ats_history.application_stages by name
select
    stage_name as id, stage_name as remote_id, stage_name as name, place as global_index, started_at as changed_at,
    started_at as observed_at, sync_id, 'observed' as reason
from _names
join ats_history.syncs on sync_id = 's000000';

insert into ats_history.job_application_stages by name
select
    jobs.id || '/' || stage_name as id, jobs.id || '/' || stage_name as remote_id, jobs.id as job_id,
    stage_name as stage_id, place as index, changed_at, sync_id, observed_at, 'observed' as reason
from ats_history.jobs cross join _names;

insert into ats.applications by name
select * exclude (content_hash, payload_hash, reason) from ats_history.applications
qualify row_number() over (partition by id order by sync_id desc) = 1;
insert into ats.candidates by name select * exclude (content_hash, payload_hash, reason) from ats_history.candidates;
insert into ats.jobs by name select * exclude (content_hash, payload_hash, reason) from ats_history.jobs;
insert into ats.application_stages by name
select * exclude (content_hash, payload_hash, reason) from ats_history.application_stages;
insert into ats.job_application_stages by name
select * exclude (content_hash, payload_hash, reason) from ats_history.job_application_stages;

insert into ats.pseudonyms
select 'applications', id, 'p-' || id from ats.applications
union all
select 'candidates', id, 'p-' || id from ats.candidates;
