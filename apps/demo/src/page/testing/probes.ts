/** The contrast between a text and what is behind it. */
export interface Contrast {
  readonly text: string
  readonly ratio: number
}

// These run in the page. They are text, since this project is compiled without the types of a browser.

/** An expression for the number of a canvas' pixels that have this colour, give or take what antialiasing does. */
export function countPixels(selector: string, [red, green, blue]: readonly [number, number, number]): string {
  return `(() => {
    const canvas = document.querySelector('${selector}')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    const near = (i, value) => Math.abs(data[i] - value) <= 3
    let count = 0
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 200 && near(i, ${red}) && near(i + 1, ${green}) && near(i + 2, ${blue})) count += 1
    }
    return count
  })()`
}

/**
 * An expression for the {@link Contrast} of every visible element that has text of its own.
 * @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
 */
export const contrasts = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const backgroundOf = (element) => {
    const { backgroundColor } = getComputedStyle(element)
    return channels(backgroundColor)[3] === 0 ? backgroundOf(element.parentElement) : backgroundColor
  }
  const ownText = (element) => [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim()
  return [...document.body.querySelectorAll('*')].filter((element) => ownText(element) !== '' && element.checkVisibility()).map((element) => {
    const [light, dark] = [getComputedStyle(element).color, backgroundOf(element)].map(luminance).sort((a, b) => b - a)
    return { text: ownText(element), ratio: (light + 0.05) / (dark + 0.05) }
  })
})()`
