-- Bugs by docs/metrics.md, over what tap-jira wrote: issues, changelogs and the transitions that name every status.
-- links(account_id, key) says which component is whose; period(start, stop) is the window. A status that the site no
-- longer lists is known by its name, else by the resolution that was set or cleared with it.
with statuses as (
  select distinct record -> 'to' ->> 'id' as id, record -> 'to' ->> 'name' as name,
    record -> 'to' -> 'statusCategory' ->> 'key' = 'done' as done
  from issue_transitions
),
bugs as (
  select
    record ->> 'id' as id,
    (record -> 'fields' ->> 'created')::timestamptz as created,
    record -> 'fields' -> 'status' -> 'statusCategory' ->> 'key' = 'done' as done_now,
    coalesce(
      (record -> 'fields' ->> 'resolutiondate')::timestamptz,
      (record -> 'fields' ->> 'statuscategorychangedate')::timestamptz
    ) as resolved_now,
    record -> 'fields' -> 'priority' ->> 'name' in ('Highest', 'Blocker', 'Critical') as critical,
    from_json(record -> 'fields' -> 'components', '[{"name": "VARCHAR"}]') as parts
  from issues, period
  where record -> 'fields' -> 'issuetype' ->> 'name' = 'Bug'
    and (record -> 'fields' ->> 'created')::timestamptz < stop
),
entries as (
  select distinct
    record ->> 'issueId' as issue,
    (record ->> 'created')::timestamptz as moment,
    from_json(
      record -> 'items',
      '[{"field": "VARCHAR", "from": "VARCHAR", "fromString": "VARCHAR", "to": "VARCHAR", "toString": "VARCHAR"}]'
    ) as items,
    list_filter(items, lambda item: item.field = 'resolution')[1] as resolution
  from changelogs
),
moves as (
  select
    e.issue,
    e.moment,
    coalesce(
      (select done from statuses s where s.id = each.item['from']),
      (select any_value(done) from statuses s where s.name = each.item.fromString),
      e.resolution['from'] is not null
    ) as from_done,
    coalesce(
      (select done from statuses s where s.id = each.item['to']),
      (select any_value(done) from statuses s where s.name = each.item.toString),
      e.resolution['to'] is not null
    ) as to_done
  from entries e, unnest(e.items) as each(item)
  where each.item.field = 'status'
),
states as (
  select b.*,
    coalesce(
      (select arg_max(to_done, moment) from moves m, period where m.issue = b.id and moment < stop),
      (select arg_min(from_done, moment) from moves m, period where m.issue = b.id and moment >= stop),
      done_now
    ) as done,
    (select max(moment) from moves m, period where m.issue = b.id and moment < stop and to_done and not from_done) as moved,
    (select count(*) from moves m, period
      where m.issue = b.id and moment >= start and moment < stop and from_done and not to_done) > 0 as reopened
  from bugs b
),
then_ as (
  select s.*, if(done, if(done_now and resolved_now < stop, resolved_now, moved), null) as resolved from states s, period
),
owned as (
  select distinct l.account_id, s.* from then_ s, unnest(s.parts) as each(part) join links l on l.key = each.part.name
),
summed as (
  select
    account_id,
    count(*) filter (not done) as open,
    count(*) filter (not done and critical) as critical,
    count(*) filter (reopened) as reopened,
    count(*) filter (created >= start) as created,
    count(*) filter (resolved >= start and resolved < stop) as resolved,
    avg((epoch(resolved) - epoch(owned.created)) / 86400.0) filter (resolved >= start and resolved < stop) as days
  from owned, period
  group by account_id
)
select
  l.account_id,
  coalesce(open, 0)::double as open_bugs,
  coalesce(critical, 0)::double as critical_bugs,
  coalesce(reopened, 0)::double as reopened_bugs,
  days as avg_resolution_days,
  case
    when coalesce(created, 0) = 0 and coalesce(resolved, 0) = 0 then 1.0
    else coalesce(created, 0)::double / greatest(coalesce(resolved, 0), 1)
  end as bug_trend
from links l
left join summed s on s.account_id = l.account_id
where l.key in (select record ->> 'name' from components)
