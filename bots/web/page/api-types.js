/**
 * The JSON that the server sends, as types: see `bots/web/views.py` and `bots/web/commands.py`.
 *
 * @typedef {"free" | "plus" | "team" | "pro"} Tier
 *
 * @typedef {{ channel: string, thread: string | null }} Place
 *
 * @typedef {object} Picture
 * @property {string} id
 * @property {string} url
 * @property {number} width In pixels.
 * @property {number} height In pixels.
 * @property {string} alt
 *
 * @typedef {object} Button
 * @property {string} action
 * @property {string} label
 * @property {string | null} target The id of a job or of a picture.
 * @property {number | null} index
 * @property {string} style
 *
 * @typedef {{ name: string, value: string }} Field
 *
 * @typedef {object} Message A job, as its message shows it.
 * @property {string} id
 * @property {number} read_at When the server read the record, in nanoseconds: the later reading wins.
 * @property {string} channel
 * @property {string | null} thread
 * @property {{ id: string, name: string }} author
 * @property {boolean} mine
 * @property {boolean} private
 * @property {Tier} tier
 * @property {string} command
 * @property {string} title
 * @property {string} prompt
 * @property {string[]} flags
 * @property {boolean} sources Whether the job was made from pictures.
 * @property {number} count
 * @property {number} width
 * @property {number} height
 * @property {"queued" | "running" | "delivering" | "done" | "failed" | "cancelled" | "refused"} state
 * @property {boolean} ended
 * @property {string} text
 * @property {number | null} bar The share that is done, from 0 to 1.
 * @property {{ position: number } | null} line
 * @property {string} created_at
 * @property {Picture[]} pictures
 * @property {{ id: string, url: string } | null} parent
 * @property {Button[]} buttons
 *
 * @typedef {object} Reply The answer to a prompt, a command or a pressed button.
 * @property {"placeholder" | "answer" | "picture" | "refusal" | string} kind
 * @property {string} code
 * @property {string} text
 * @property {string} title
 * @property {boolean} private
 * @property {Field[]} fields
 * @property {Button[]} buttons
 * @property {Picture[]} pictures
 * @property {string | null} download The path of a file to save.
 * @property {Message | null} message
 *
 * @typedef {{ kind: "refusal", code: string, text: string, private: true }} Refusal
 *
 * @typedef {object} ProgressEvent
 * @property {string} job
 * @property {string} text
 * @property {number | null} share From 0 to 1; null while no steps are counted.
 * @property {string | null} preview A JPEG in base64.
 *
 * @typedef {object} Welcome What the page needs to start.
 * @property {string} token
 * @property {boolean} operator Whether this browser has signed in with the secret.
 * @property {string} locale
 * @property {string[]} channels
 * @property {string[]} commands
 * @property {string[]} studio
 * @property {string[]} aspects
 * @property {string} model The model of a prompt without `--model`.
 * @property {string[]} models
 * @property {Record<string, string[]>} vocabularies The words that a model knows, in plain letters, where it publishes them.
 * @property {Example[]} examples
 * @property {{ upload: number, prompt: number, count: number }} limits
 *
 * @typedef {object} Example A prompt to begin with.
 * @property {string} prompt
 * @property {string | null} thumbnail The address of a picture that the bundled model made of it; null where another model is the default.
 *
 * @typedef {Partial<Record<string, Tier>>} LockedFeatures The lowest tier of each feature that the member lacks.
 *
 * @typedef {object} Quota
 * @property {number} left In credits.
 * @property {number} limit In credits.
 * @property {Tier} tier
 * @property {LockedFeatures} locked
 * @property {{ position: number | null, invited_until: string | null }} waitlist
 *
 * @typedef {object} TierLoad Waits in seconds, null where no estimate exists.
 * @property {Tier} tier
 * @property {number} queued
 * @property {number} running
 * @property {number} backlog
 * @property {number | null} p50
 * @property {number | null} p90
 * @property {number | null} calibration
 * @property {{ set: string, now: string, degraded: boolean } | null} doors
 *
 * @typedef {object} WorkerLoad
 * @property {string} name
 * @property {string} device
 * @property {string[]} profiles
 * @property {number} running
 * @property {number} slots
 * @property {Record<string, number>} rates Seconds a picture, by profile.
 * @property {Record<string, ModelFault>} faults By model.
 *
 * @typedef {object} ModelFault Why a worker does not serve a model now.
 * @property {string} reason A sentence for the operator.
 * @property {string} since
 * @property {string | null} next_try Null while a try is in progress.
 * @property {string | null} part The only operation that fails, null for all of them.
 *
 * @typedef {object} EstimateAccuracy The last day's estimates of one tier that were given at one age of a surge.
 * @property {Tier} tier
 * @property {"new" | "young" | "old"} surge_age
 * @property {number} coverage Share of jobs delivered within p90.
 * @property {number} width Median of p90 over p50.
 * @property {number} jobs
 *
 * @typedef {object} Capacity
 * @property {string} at
 * @property {TierLoad[]} tiers
 * @property {WorkerLoad[]} workers
 * @property {number} waitlist
 * @property {EstimateAccuracy[]} accuracy
 *
 * @typedef {Partial<Record<string, number>>} TierValues One value for each tier that has one.
 *
 * @typedef {object} TimeBucket
 * @property {string} until
 * @property {TierValues} queued
 * @property {TierValues} waits
 * @property {TierValues} made
 *
 * @typedef {object} Door
 * @property {string} door
 * @property {string[]} states
 * @property {string} usual
 * @property {Record<string, string>} set The override of each server.
 * @property {string} now
 * @property {boolean} degraded
 * @property {number | null} wait In seconds.
 *
 * @typedef {{ doors: Door[], servers: string[], operator: boolean }} DoorList
 */
export {};
