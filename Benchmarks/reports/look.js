// What an eye would stumble over in the page as it is laid out now. Called by contract.py; gives values only.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  // Red, green, blue and alpha of any CSS colour, 0…255 and 0…1.
  const colour = (css) => {
    if (!known.has(css)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(css, [r, g, b, a / 255]);
    }
    return known.get(css);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const paint = (element) => {
    const style = getComputedStyle(element);
    if (element instanceof SVGElement && !(element instanceof SVGSVGElement)) {
      const isFilled = style.fill !== "none" && Number(style.fillOpacity) > 0;
      if (!isFilled && style.stroke === "none") return null;
      const [r, g, b, a] = colour(isFilled ? style.fill : style.stroke);
      return [r, g, b, a * Number(isFilled ? style.fillOpacity : style.strokeOpacity) * Number(style.opacity)];
    }
    return colour(style.backgroundColor);
  };
  const ground = (x, y) => {
    const layers = [];
    for (const element of document.elementsFromPoint(x, y)) {
      if (element.closest("text")) continue;
      const layer = paint(element);
      if (!layer || layer[3] === 0) continue;
      layers.push(layer);
      if (layer[3] > 0.999) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  // Corners of a label on the screen, without the room above and below its letters.
  const corners = (text) => {
    const box = text.getBBox(), matrix = text.getScreenCTM();
    if (!box.width || !matrix) return null;
    const left = box.x + 0.5, right = box.x + box.width - 0.5, top = box.y + box.height * 0.22, bottom = box.y + box.height * 0.8;
    return [[left, top], [right, top], [right, bottom], [left, bottom]].map(([x, y]) => {
      const point = new DOMPoint(x, y).matrixTransform(matrix);
      return [point.x, point.y];
    });
  };
  // Two convex quadrilaterals share a point unless an edge of one separates them.
  const touch = (a, b) => {
    for (const shape of [a, b]) {
      for (let i = 0; i < 4; i += 1) {
        const [x, y] = shape[i], [u, v] = shape[(i + 1) % 4];
        const side = (point) => (point[0] - x) * (v - y) - (point[1] - y) * (u - x);
        if (Math.max(...a.map(side)) <= Math.min(...b.map(side)) || Math.max(...b.map(side)) <= Math.min(...a.map(side))) return false;
      }
    }
    return true;
  };
  const scrolls = (element) => {
    for (let parent = element.parentElement; parent && parent !== document.body; parent = parent.parentElement) {
      if (getComputedStyle(parent).overflowX !== "visible") return true;
    }
    return false;
  };
  const name = (element) => `${element.tagName.toLowerCase()}${element.className && element.className.baseVal === undefined ? "." + element.className : ""}`;

  const result = { clash: [], cut: [], faint: [], smallest: null, labels: 0, wide: [] };
  for (const drawing of document.querySelectorAll("svg")) {
    const frame = drawing.getBoundingClientRect();
    if (!frame.width) continue;
    const title = drawing.querySelector("title")?.textContent ?? "a drawing";
    const labels = [];
    for (const text of drawing.querySelectorAll("text")) {
      const shape = corners(text);
      if (!shape || !text.textContent.trim()) continue;
      labels.push([text.textContent.trim(), shape]);
      const style = getComputedStyle(text), matrix = text.getScreenCTM();
      const size = parseFloat(style.fontSize) * Math.hypot(matrix.a, matrix.b);
      if (result.smallest === null || size < result.smallest) result.smallest = size;
      if (shape.some(([x, y]) => x < frame.left - 1 || x > frame.right + 1 || y < frame.top - 1 || y > frame.bottom + 1)) {
        result.cut.push(`${title}: "${text.textContent.trim()}"`);
      }
      const [x, y] = [0, 1].map((axis) => shape.reduce((sum, point) => sum + point[axis], 0) / 4);
      const below = ground(x, y), fill = colour(style.fill);
      const found = contrast(over([fill[0], fill[1], fill[2], fill[3] * Number(style.fillOpacity)], below), below);
      if (found < 4.5) result.faint.push(`${title}: "${text.textContent.trim()}" ${found.toFixed(2)}`);
    }
    result.labels += labels.length;
    for (let i = 0; i < labels.length; i += 1) {
      for (let j = i + 1; j < labels.length; j += 1) {
        if (touch(labels[i][1], labels[j][1])) result.clash.push(`${title}: "${labels[i][0]}" and "${labels[j][0]}"`);
      }
    }
  }
  // Words of the page itself, on the colours of what they stand in: axe gives up on the hint of a shadow below a wide table.
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (seen.has(element) || !words.currentNode.data.trim() || element.closest("svg,script,style") || !element.checkVisibility()) continue;
    seen.add(element);
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = colour(getComputedStyle(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] > 0.999) break;
    }
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const below = layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const found = contrast(over(colour(style.color), below), below);
    if (found < least) result.faint.push(`${name(element)}: "${words.currentNode.data.trim().slice(0, 40)}" ${found.toFixed(2)}`);
  }
  result.words = seen.size;
  const room = document.documentElement.clientWidth;
  result.overflow = Math.max(0, document.documentElement.scrollWidth - room);
  if (result.overflow) {
    for (const element of document.body.querySelectorAll("*")) {
      const box = element.getBoundingClientRect();
      if (box.width && box.right > room + 1 && !scrolls(element)) result.wide.push(name(element));
    }
  }
  result.text = (document.querySelector("main") ?? document.body).innerText;
  result.height = Math.ceil(document.documentElement.scrollHeight);
  return result;
})()
