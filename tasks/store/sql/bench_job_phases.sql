-- Seconds of one job by phase.
SELECT extract(epoch FROM jobs.created_at) - :start AS submit,
    extract(epoch FROM jobs.started_at - jobs.created_at) AS ticket,
    extract(epoch FROM jobs.rendered_at - jobs.started_at) - attempts.gpu_seconds AS store,
    extract(epoch FROM jobs.ended_at - jobs.rendered_at) AS deliver,
    extract(epoch FROM jobs.ended_at) - :start - attempts.gpu_seconds AS overhead,
    extract(epoch FROM jobs.ended_at) - :start AS total
FROM jobs JOIN attempts ON attempts.job = jobs.id WHERE jobs.id = :job
