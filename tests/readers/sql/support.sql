-- Support by docs/metrics.md, over what tap-intercom wrote: conversations, contacts and companies as they came.
-- links(account_id, key) says which company is whose; period(start, stop) is the window. Times are ISO texts.
with people as (
  select c.record ->> 'id' as person, unnest(from_json(c.record -> 'companies', '[{"id": "VARCHAR"}]')).id as company
  from contacts c
),
plain as (
  select
    record ->> 'id' as id,
    (record ->> 'created_at')::timestamptz as created,
    coalesce(
      (record -> 'statistics' ->> 'first_contact_reply_at')::timestamptz,
      (record -> 'first_contact_reply' ->> 'created_at')::timestamptz
    ) as began,
    (record -> 'statistics' ->> 'first_admin_reply_at')::timestamptz as answered,
    case when record ->> 'state' = 'closed'
      then (record -> 'statistics' ->> 'last_close_at')::timestamptz end as closed,
    began is not null or record -> 'source' -> 'author' ->> 'type' in ('user', 'lead', 'contact') as involved,
    record ->> 'priority' = 'priority' as urgent,
    len(list_filter(
      from_json(coalesce(record -> 'tags', '[]'), '[{"name": "VARCHAR"}]'),
      lambda tag: lower(trim(tag.name)) in ('escalated', 'escalation')
    )) + len(list_filter(
      from_json(coalesce(record -> 'linked_objects' -> 'data', '[]'), '[{"category": "VARCHAR"}]'),
      lambda ticket: ticket.category in ('Back-office', 'Tracker')
    )) > 0 as sign,
    -- a list that is cut can hide a sign
    if(not sign and (record -> 'linked_objects' ->> 'has_more')::boolean, null, sign) as escalated,
    (record -> 'conversation_rating' ->> 'created_at')::timestamptz as asked,
    (record -> 'conversation_rating' ->> 'rating')::int as rating,
    from_json(record -> 'contacts', '[{"id": "VARCHAR"}]') as persons
  from conversations
  where coalesce(record ->> 'ticket', 'null') = 'null'
),
owned as (  -- a conversation once for each account; here the companies are those of its people
  select distinct l.account_id, p.*
  from plain p, unnest(p.persons) as each(who)
  join people on people.person = each.who.id
  join links l on l.key = people.company
),
counted as (select o.* from owned o, period where involved and created >= start and created < stop),
ended as (select o.* from owned o, period where involved and closed >= start and closed < stop),
rated as (select o.* from owned o, period where asked >= start and asked < stop)
select
  l.account_id,
  (select count(*) from counted c where c.account_id = l.account_id)::double as total_conversations,
  (select 100.0 * avg(urgent::int) from counted c where c.account_id = l.account_id) as p1_p2_pct,
  (select if(count(*) = count(escalated), 100.0 * avg(escalated::int), null)
    from counted c where c.account_id = l.account_id) as escalation_pct,
  (select median(epoch(answered) - epoch(began)) from counted c where c.account_id = l.account_id)
    as median_first_response_seconds,
  (select median(epoch(closed) - epoch(began)) from ended c where c.account_id = l.account_id)
    as median_resolution_seconds,
  (select 100.0 * avg((rating >= 4)::int) from rated c where c.account_id = l.account_id) as csat_score,
  (select 100.0 * avg((rating is not null)::int) from rated c where c.account_id = l.account_id) as csat_response_rate
from links l
where l.key in (select record ->> 'id' from companies)
