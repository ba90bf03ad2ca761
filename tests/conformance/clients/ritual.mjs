// The page of a ritual, as people meet it: node ritual.mjs URL PATH CHROMIUM SESSION|after [FOLDER]
// Its host, who has the SESSION, opens it while people look. One is there first and says something, and somebody without
// a name looks on. After it, it is remembered. Answers what was read, and what the browsers complained of.
import { chromium } from 'playwright-core'
import { signUp, watchedPage } from './browser.mjs'
import { end } from './outcome.mjs'

const [url, path, executablePath, session, folder] = process.argv.slice(2)
const { origin } = new URL(url)
const PATIENCE = 30000

async function come(browser, complaints, viewport = { width: 1200, height: 900 }) {
  const page = await watchedPage(browser, origin, complaints, PATIENCE, { viewport, reducedMotion: 'reduce' })
  await page.goto(origin + path)
  await page.locator('#ritual').waitFor()
  return page
}

async function open() {
  const ritual = path.split('/').pop()
  const query = `mutation { openRitual(input: { ritual: "${ritual}" }) { __typename } }`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${session}` }
  await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
}

const text = (page, id) => page.locator(`#${id}`).textContent()
const picture = (page, name) => folder && page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })

async function before(browser, complaints) {
  const [near, far] = await Promise.all([
    come(browser, complaints),
    come(browser, complaints, { width: 390, height: 844 }),
  ])
  const name = `near-${Date.now().toString(36)}`
  const announced = await text(near, 'state')
  await open()
  // Nobody loads anything again: the page looks when its time has come.
  await near.getByText('The room is open. It is not out yet.').waitFor()
  const clock = (await text(near, 'clock')).replace(/\s+/g, ' ').trim()
  await near.getByRole('button', { name: 'Be there first' }).press('Enter')
  const asked = await near.getByRole('alert').textContent()
  await signUp(near, name)
  await near.getByLabel('with my name').check()
  await near.getByRole('button', { name: 'Be there first' }).press('Enter')
  await near.getByText('You are number 1.').waitFor()
  await near.getByLabel('Say something').fill('I brought a chair')
  await near.keyboard.press('Enter')
  await far.locator('#messages').getByText('I brought a chair', { exact: true }).waitFor()
  const plays = await near.locator('#play').isVisible()
  if (plays) {
    await near.getByRole('button', { name: 'Play the hook' }).press('Enter')
    await near.getByRole('button', { name: 'Pause' }).waitFor()
  }
  await near.getByRole('button', { name: 'Share it' }).press('Enter')
  await near.locator('#shared').getByText(origin).waitFor()
  await picture(near, 'ritual-before')
  await far.goto(await text(near, 'shared'))
  await far.locator('#supporters').getByText(name).waitFor()
  await picture(far, 'ritual-narrow')
  return {
    name, announced, clock, asked, plays,
    title: await text(near, 'title'),
    world: await text(near, 'world'),
    supporters: await far.locator('#supporters li').allTextContents(),
    mayNotSpeak: await far.getByLabel('Say something').isDisabled(),
    worn: await near.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()),
    head: await far.title(),
    led: far.url().replace(origin, ''),
    goesOn: await far.locator('#world').getAttribute('href'),
  }
}

async function after(browser, complaints) {
  const page = await come(browser, complaints)
  await page.getByText('It is over, and remembered.').waitFor()
  await picture(page, 'ritual-after')
  return {
    numbers: Object.fromEntries(
      await page.locator('#numbers div').evaluateAll((rows) => rows.map((row) => [...row.children].map((each) => each.textContent))),
    ),
    isAwaited: await page.locator('#awaited').isVisible(),
  }
}

await end(async () => {
  const complaints = []
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--mute-audio'] })
  try {
    const read = await (session === 'after' ? after : before)(browser, complaints)
    return { ...read, complaints }
  } finally {
    await browser.close()
  }
})
