// Finished legs from Kafka, each once, corrections applied.
import { kafka } from "./kafka.mjs"

const newest = new Map() // stands for a table with the primary key (pbx, leg_id)
const consumer = kafka.consumer({ groupId: "billing-node" }) // several of us share the partitions
await consumer.connect()
await consumer.subscribe({ topic: "pbx.calls.cdr.v1", fromBeginning: true })
await consumer.run({ // commits what eachMessage has returned from
  eachMessage: async ({ message, partition }) => {
    const leg = JSON.parse(message.value)
    if (leg.v !== 1) throw new Error(`${partition}/${message.offset}: made by a newer legbook`)
    const key = `${leg.pbx}|${leg.leg_id}`
    const known = newest.get(key)
    if (known && (known.epoch > leg.epoch || (known.epoch === leg.epoch && known.seq >= leg.seq))) return
    newest.set(key, leg)
    console.log(`${leg.pbx} ${leg.leg_id} ${leg.disposition} ${leg.billsec}`)
  },
})
