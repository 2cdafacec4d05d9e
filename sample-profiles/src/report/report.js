// The same report as report.py, for V8: parse, group, find returning customers, render.
//
// usage: report.js before|after [orders]
//
// "after" plants the same regression: the customers already seen are kept in a list instead of a set.
'use strict';

function* makeLines(count) {
  let state = 12345;
  for (let number = 0; number < count; number++) {
    state = Number((BigInt(state) * 1103515245n + 12345n) & 0x7fffffffn);
    const customer = (state >> 8) & 0x1ff;
    const price = (state % 90000) + 500;
    yield `${number};customer-${String(customer).padStart(4, '0')};${['north', 'south', 'east', 'west'][(state >> 5) & 3]};${price}`;
  }
}

function parseLine(line) {
  const [number, customer, region, price] = line.split(';');
  return { number: Number(number), customer, region, price: Number(price) / 100 };
}

function remember(seen, customer) {
  if (Array.isArray(seen)) {
    if (seen.includes(customer)) return true;
    seen.push(customer);
    return false;
  }
  if (seen.has(customer)) return true;
  seen.add(customer);
  return false;
}

function group(regions, region, price) {
  if (!regions.has(region)) regions.set(region, []);
  regions.get(region).push(price);
}

function quantiles(prices) {
  const ordered = prices.slice().sort((a, b) => a - b);
  return [1, 5, 9].map((part) => ordered[Math.floor((ordered.length * part) / 10)]);
}

function renderOrder({ number, customer, region, price }) {
  const text = `${String(number).padStart(8, '0')} ${customer.padEnd(16)} ${region.padEnd(6)} ${price.toFixed(2).padStart(10)}`;
  return text.replace('customer-', 'c/').trimEnd();
}

function buildReport(lines, seen) {
  const regions = new Map();
  let returning = 0;
  let size = 0;
  for (const line of lines) {
    const order = parseLine(line);
    if (remember(seen, order.customer)) returning += 1;
    group(regions, order.region, order.price);
    size += renderOrder(order).length;
  }
  return [...regions].map(([region, prices]) => `${region} ${quantiles(prices).join(' ')} ${returning}`).concat(String(size));
}

const variant = process.argv[2];
const count = Number(process.argv[3] ?? 300000);
console.log(buildReport(makeLines(count), variant === 'after' ? [] : new Set()).join('\n'));
