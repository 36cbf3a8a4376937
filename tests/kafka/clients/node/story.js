'use strict'
// What the stories of all Node clients share: the records that they tell of, the account of those that were read, and how a step is told.

const LOT = 100 // records of one lot
const WAIT_MS = 60000 // for anything that has to become true

function say(step, outcome) {
  process.stdout.write(`${step}: ${outcome}\n`)
}

// Records { value, key, number } of a lot, all of them strings; key and number (a header) follow from the value.
function lot(name, count = LOT) {
  return Array.from({ length: count }, (_, i) => ({ value: `${name}/${i}`, key: `key-${i % 10}`, number: `${i}` }))
}

// Timestamps of records, a second apart, and a time between the fifth and the sixth of them.
function times(count = 10) {
  const first = Date.now() - 60000
  return { timestamps: Array.from({ length: count }, (_, i) => first + 1000 * i), between: first + 4500 }
}

// Which records of some lots have been read, and whether they are what was written.
class Account {
  constructor(...lots) {
    this.expected = new Map(lots.flat().map((record) => [record.value, record]))
    this.count = new Map([...this.expected.keys()].map((value) => [value, 0]))
    this.wrong = 0
  }

  saw({ value, key, number }) {
    const expected = this.expected.get(value)
    if (expected && expected.key === key && expected.number === number) this.count.set(value, this.count.get(value) + 1)
    else this.wrong++
  }

  sawAll(records) {
    for (const record of records) this.saw(record)
    return this
  }

  seen() {
    return [...this.count.values()].reduce((sum, n) => sum + n, 0)
  }

  isComplete() {
    return [...this.count.values()].every((n) => n > 0)
  }

  toString() {
    const counts = [...this.count.values()]
    const lost = counts.filter((n) => n === 0).length
    const doubled = counts.reduce((sum, n) => sum + Math.max(0, n - 1), 0)
    return lost + doubled + this.wrong === 0 ? 'each record once' : `${lost} lost, ${doubled} doubled, ${this.wrong} wrong`
  }
}

// Until isTrue() or WAIT_MS have passed; what it said last.
async function until(isTrue) {
  const end = Date.now() + WAIT_MS
  for (;;) {
    const result = await isTrue()
    if (result || Date.now() > end) return result
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

// Runs a story; a step that throws ends it.
function run(story) {
  story().then(
    () => process.exit(0),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}

module.exports = { Account, LOT, lot, run, say, times, until }
