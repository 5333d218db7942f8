const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Sun, 06 Nov 1994 08:49:37 GMT`: IMF-fixdate. */
const fixdate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<h>\d{2}):(?<m>\d{2}):(?<s>\d{2}) GMT$/
/** `Sunday, 06-Nov-94 08:49:37 GMT`: RFC 850, obsolete. */
const rfc850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<h>\d{2}):(?<m>\d{2}):(?<s>\d{2}) GMT$/
/** `Sun Nov  6 08:49:37 1994`: asctime, obsolete, in UTC. */
const asctime = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<h>\d{2}):(?<m>\d{2}):(?<s>\d{2}) (?<year>\d{4})$/

/**
 * How long `Retry-After` asks to wait, in milliseconds: whole seconds or any of the three date forms (RFC 9110 10.2.3 and
 * 5.6.7); fractions of seconds too, which some servers send. Of several the longest. `undefined` where there is none, or none that
 * can be read.
 * @param wallNow milliseconds since the epoch
 */
export function retryAfterOf(value: string | null | undefined, wallNow: number): number | undefined {
  if (!value) return undefined
  // Several fields are one list (RFC 9110 5.3). The comma of a date is the one before its day.
  const waits = value.split(/,(?! \d\d[ -][A-Z])/).map((one) => waitOf(one.trim(), wallNow)).filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : waits.reduce((longest, wait) => Math.max(longest, wait))
}

function waitOf(text: string, wallNow: number): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1_000
  const at = httpDate(text, wallNow)
  return at === undefined ? undefined : Math.max(0, at - wallNow)
}

function httpDate(text: string, wallNow: number): number | undefined {
  const parts = (fixdate.exec(text) ?? rfc850.exec(text) ?? asctime.exec(text))?.groups
  if (parts === undefined) return undefined
  const { day = '', month = '', year = '', h = '', m = '', s = '' } = parts
  const midnight = new Date(Date.UTC(fullYear(year, wallNow), months.indexOf(month), Number(day)))
  // A 31st of February and a month that is none do not come back as they were written. A leap second is right.
  const isDate = months[midnight.getUTCMonth()] === month && midnight.getUTCDate() === Number(day)
  if (!isDate || Number(h) > 23 || Number(m) > 59 || Number(s) > 60) return undefined
  return midnight.getTime() + ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1_000
}

/** Two digits that would be more than 50 years ahead are of the last century (RFC 9110 5.6.7). */
function fullYear(year: string, wallNow: number): number {
  if (year.length === 4) return Number(year)
  const thisYear = new Date(wallNow).getUTCFullYear()
  const guess = thisYear - (thisYear % 100) + Number(year)
  return guess > thisYear + 50 ? guess - 100 : guess
}
