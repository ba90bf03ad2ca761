// Two people in a room, each in a browser: node room.mjs URL HANDLE CHROMIUM CUT_MS [FOLDER]
// One of them is cut off for a while. Answers what both read in the end, and what their browsers complained of; with a
// FOLDER it leaves pictures there.
import { chromium } from 'playwright-core'
import { signUp, watchedPage } from './browser.mjs'
import { end } from './outcome.mjs'
import { road } from './road.mjs'

const [url, handle, executablePath, cutMs, folder] = process.argv.slice(2)
const { origin } = new URL(url)
const PATIENCE = 20000

async function come(browser, at, complaints) {
  const page = await watchedPage(browser, at, complaints, PATIENCE, { viewport: { width: 900, height: 940 } })
  await page.goto(`${at}/rooms/${handle}`)
  await page.getByText('You are in the room.').waitFor()
  return page
}

async function enter(page, name) {
  await signUp(page, name)
  await page.getByText('You are in the room.').waitFor()
}

async function say(page, text) {
  await page.getByLabel('Say something').fill(text)
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.getElementById('text').value === '')
}

const words = (page) => page.locator('#messages li > span').allTextContents()
const people = (page) => page.locator('#people li').allTextContents()
const heard = (page, text) => page.locator('#messages').getByText(text, { exact: true }).waitFor()
const picture = (page, name) => folder && page.screenshot({ path: `${folder}/${name}.png` })

await end(async () => {
  const complaints = []
  const way = await road(origin)
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--mute-audio'] })
  try {
    const [near, far] = await Promise.all([come(browser, origin, complaints), come(browser, new URL(way.through).origin, complaints)])
    const mark = Date.now().toString(36)
    await enter(near, `near-${mark}`)
    await enter(far, `far-${mark}`)
    for (const page of [near, far]) {
      for (const name of ['near', 'far']) await page.locator('#people').getByText(`${name}-${mark}`).waitFor()
    }
    const together = { near: await people(near), far: await people(far), count: await near.locator('#count').textContent() }
    await say(near, `hello ${mark}`)
    await heard(far, `hello ${mark}`)
    await say(far, `here I am ${mark}`)
    await heard(near, `here I am ${mark}`)
    await near.getByRole('button', { name: 'heart' }).press('Enter')
    await far.getByRole('button', { name: 'heart' }).getByText('1').waitFor()
    await near.getByLabel('Say something').fill('   ')
    await near.keyboard.press('Enter')
    await near.getByRole('alert').getByText(/\w/).waitFor()
    const refusal = await near.getByRole('alert').textContent()
    await near.getByLabel('Say something').fill('')
    await picture(near, 'together')

    way.close()
    await far.getByText('The line is cut.').waitFor()
    await picture(far, 'cut')
    const begun = Date.now()
    for (const number of [1, 2, 3, 4, 5]) await say(near, `while you were away, ${number} ${mark}`)
    await near.getByRole('button', { name: 'heart' }).press('Enter')
    await new Promise((done) => setTimeout(done, Math.max(cutMs - (Date.now() - begun), 0)))
    const missed = (await words(far)).filter((text) => text.startsWith('while') && text.endsWith(mark))
    way.open()
    await heard(far, `while you were away, 5 ${mark}`)
    await far.getByRole('button', { name: 'heart' }).getByText('2').waitFor()
    await say(far, `back again ${mark}`)
    await heard(near, `back again ${mark}`)
    await picture(far, 'back')

    const outcome = {
      mark, together, missed, refusal, near: await words(near), far: await words(far),
      now: await near.locator('#now').textContent(),
      worn: await near.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()),
    }
    await far.close({ runBeforeUnload: true })
    await near.locator('#people').getByText(`far-${mark}`).waitFor({ state: 'detached' })
    return { ...outcome, left: await people(near), complaints }
  } finally {
    await browser.close()
    way.end()
  }
})
