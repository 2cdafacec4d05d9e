"""Builds a sales report from generated order lines: parse, group, find returning customers, render.

usage: report.py before|after [orders]

"after" plants one regression: the customers already seen are kept in a list instead of a set, so that remember() walks
the list for every order.
"""
import sys


def make_lines(count):
    """Order lines as text; the same every time."""
    state = 12345
    for number in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        customer = state >> 8 & 0x1FF
        price = state % 90_000 + 500
        yield f"{number};customer-{customer:04d};{'north south east west'.split()[state >> 5 & 3]};{price}"


def parse_line(line):
    number, customer, region, price = line.split(";")
    return int(number), customer, region, int(price) / 100


def remember(seen, customer):
    """Whether the customer was seen before; is seen from now on."""
    if customer in seen:
        return True
    if isinstance(seen, set):
        seen.add(customer)
    else:
        seen.append(customer)
    return False


def group(regions, region, price):
    prices = regions.setdefault(region, [])
    prices.append(price)
    return len(prices)


def quantiles(prices):
    ordered = sorted(prices)
    return [ordered[len(ordered) * part // 10] for part in (1, 5, 9)]


def render_row(region, prices, returning):
    cells = [region.title().ljust(10)] + [f"{value:10.2f}" for value in quantiles(prices)]
    return "|".join(cells) + f"|{len(prices):8d}|{returning:8d}"


def render_order(number, customer, region, price):
    text = f"{number:08d} {customer:<16} {region:<6} {price:10.2f}"
    return text.replace("customer-", "c/").rstrip()


def build_report(lines, seen):
    regions, returning, size = {}, 0, 0
    for line in lines:
        number, customer, region, price = parse_line(line)
        returning += remember(seen, customer)
        group(regions, region, price)
        size += len(render_order(number, customer, region, price))
    rows = [render_row(region, prices, returning) for region, prices in sorted(regions.items())]
    return size, "\n".join(rows)


def main():
    seen = [] if sys.argv[1] == "after" else set()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_500_000
    size, text = build_report(make_lines(count), seen)
    print(size)
    print(text)


if __name__ == "__main__":
    main()
