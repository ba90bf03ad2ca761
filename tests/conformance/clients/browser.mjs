// What is done in every browser: a page whose complaints are kept, and somebody who signs up in it.

/** A page that asks one house and no other; what it does beyond that is a complaint. */
export async function watchedPage(browser, at, complaints, patience, context) {
  const page = await (await browser.newContext(context)).newPage()
  page.setDefaultTimeout(patience)
  page.on('pageerror', (error) => complaints.push(`${error}`))
  page.on('console', (said) => /Content Security|Refused to/.test(said.text()) && complaints.push(said.text()))
  page.on('request', (request) => {
    const { origin: of, protocol } = new URL(request.url())
    if (of !== at && protocol !== 'data:' && protocol !== 'ws:') complaints.push(`asked ${of}`)
  })
  return page
}

/** By keyboard alone, as it comes. */
export async function signUp(page, name) {
  await page.getByLabel('Handle').focus()
  for (const text of [name, 'nine-slow-tambourines', `${name}@example.com`]) {
    await page.keyboard.type(text)
    await page.keyboard.press('Tab')
  }
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText(`You are ${name}.`).waitFor()
}
