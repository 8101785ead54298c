(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var ROW = 20, MARGIN = 10;
  var map = document.getElementById("map"), scroll = document.getElementById("scroll"), rows = document.getElementById("rows");
  var status = document.getElementById("status"), filter = document.getElementById("filter"), sort = document.getElementById("sort");
  var shown = [], active = { row: 0, column: 0 }, drawn = "";
  var WORDS = { f: "full", c: "closed, nothing expected", e: "confirmed empty", 0: "empty, all missing" };

  function word(letter) { return WORDS[letter] || "partly, " + letter + "0 to " + (+letter + 1) + "0 %"; }
  function percent(line) {
    if (!line[2]) return "–";
    return (Math.floor((line[2] - line[3]) / line[2] * 1000) / 10).toFixed(1) + " %";
  }
  function describe(line, column) {
    var period = data.periods[column];
    return line[0] + ", " + period[0] + " to " + period[1] + ": " + word(line[1][column]) + ". Missing in all: " +
      line[3].toLocaleString() + " of " + line[2].toLocaleString() + " buckets in " + line[4].toLocaleString() + " gaps.";
  }
  function element(tag, name, text) {
    var made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function line(index) {
    var entity = shown[index], row = element("div", "row");
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", index + 1);
    row.style.top = index * ROW + "px";
    var name = element("div", "name", entity[0]);
    name.setAttribute("role", "rowheader");
    name.title = entity[0];
    row.appendChild(name);
    var cells = element("div", "cells");
    cells.setAttribute("role", "presentation");
    for (var column = 0; column < entity[1].length; column++) {
      var cell = element("div", "cell c" + entity[1][column]);
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-colindex", column + 2);
      cell.setAttribute("aria-label", data.periods[column][0] + ": " + word(entity[1][column]));
      cell.title = describe(entity, column);
      cell.tabIndex = index === active.row && column === active.column ? 0 : -1;
      cell.dataset.row = index;
      cell.dataset.column = column;
      cells.appendChild(cell);
    }
    row.appendChild(cells);
    var share = element("div", "share", percent(entity));
    share.setAttribute("role", "gridcell");
    row.appendChild(share);
    return row;
  }
  // Only the rows in sight are in the page, so 5,000 entities cost as little as 50; the active one stays for the keyboard.
  function draw(force) {
    var first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - MARGIN);
    var last = Math.min(shown.length, Math.ceil((scroll.scrollTop + (scroll.clientHeight || 480)) / ROW) + MARGIN);
    var key = first + "-" + last;
    if (!force && key === drawn) return;
    drawn = key;
    var focused = document.activeElement && document.activeElement.classList.contains("cell");
    var fresh = document.createDocumentFragment();
    if (shown.length && active.row < first) fresh.appendChild(line(active.row));
    for (var index = first; index < last; index++) fresh.appendChild(line(index));
    if (shown.length && active.row >= last) fresh.appendChild(line(active.row));
    rows.replaceChildren(fresh);
    if (focused) focusActive(false);
  }
  function activeCell() {
    return rows.querySelector('[data-row="' + active.row + '"][data-column="' + active.column + '"]');
  }
  function focusActive(visible) {
    if (visible) {
      var top = active.row * ROW, height = scroll.clientHeight;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      if (top + ROW > scroll.scrollTop + height) scroll.scrollTop = top + ROW - height;
      draw(true);
    }
    var cell = activeCell();
    if (cell) cell.focus({ preventScroll: true });
    if (cell && shown[active.row]) status.textContent = describe(shown[active.row], active.column);
  }
  function choose() {
    var text = filter.value.trim().toLowerCase(), by = sort.value;
    shown = data.entities.filter(function (entity) { return entity[0].toLowerCase().indexOf(text) >= 0; });
    var value = { missing: function (e) { return e[3]; }, share: function (e) { return e[2] ? e[3] / e[2] : -1; }, longest: function (e) { return e[5]; }, late: function (e) { return e[6]; } }[by];
    if (value) shown.sort(function (a, b) { return value(b) - value(a); });
    active = { row: 0, column: Math.min(active.column, data.periods.length - 1) };
    rows.style.height = shown.length * ROW + "px";
    map.setAttribute("aria-rowcount", shown.length);
    map.classList.toggle("short", shown.length <= 24);
    scroll.scrollTop = 0;
    status.textContent = shown.length === data.entities.length ? shown.length.toLocaleString() + " entities" : shown.length.toLocaleString() + " of " + data.entities.length.toLocaleString() + " entities";
    draw(true);
  }
  var MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-20, 0], PageDown: [20, 0] };
  rows.addEventListener("keydown", function (event) {
    var move = MOVES[event.key], columns = data.periods.length;
    if (move) {
      active.row = Math.min(Math.max(active.row + move[0], 0), shown.length - 1);
      active.column = Math.min(Math.max(active.column + move[1], 0), columns - 1);
    } else if (event.key === "Home") {
      active.column = 0;
      if (event.ctrlKey) active.row = 0;
    } else if (event.key === "End") {
      active.column = columns - 1;
      if (event.ctrlKey) active.row = shown.length - 1;
    } else return;
    event.preventDefault();
    focusActive(true);
  });
  function point(event) {
    var cell = event.target.closest(".cell[data-row]");
    if (!cell) return;
    var at = { row: +cell.dataset.row, column: +cell.dataset.column };
    if (event.type === "mousemove") {
      status.textContent = describe(shown[at.row], at.column);
      return;
    }
    var before = activeCell();
    if (before) before.tabIndex = -1;
    active = at;
    cell.tabIndex = 0;
    status.textContent = describe(shown[at.row], at.column);
  }
  rows.addEventListener("mousemove", point);
  rows.addEventListener("focusin", point);
  rows.addEventListener("click", function (event) {
    var cell = event.target.closest(".cell[data-row]");
    if (cell) cell.focus({ preventScroll: true });
  });
  scroll.addEventListener("scroll", function () { draw(false); });
  window.addEventListener("resize", function () { draw(true); });
  filter.addEventListener("input", choose);
  sort.addEventListener("change", choose);
  choose();
  document.documentElement.dataset.ready = "true";
})();
