-- render.lua - a pandoc filter: what a page of the site has besides its text
--
-- Links between texts and to files become links between pages; excerpts name their file and lead to their line; prompts can be seen but not
-- copied; tables can be scrolled; there are contents, and links to the previous and the next chapter.
--
-- Environment: PAGE, the page's name; TEXT, the text it is from, or the path of the program or folder that it shows; KIND, text, program or
-- folder; WORK, as for split.lua, with folders, a list. Leaves in shown/ which files the page leads to. Fails where a link leads nowhere.

local page, text, kind, work = os.getenv('PAGE'), os.getenv('TEXT'), os.getenv('KIND'), os.getenv('WORK')
local root = page:gsub('[^/]+$', ''):gsub('[^/]+/', '../')
local base = kind == 'text' and text:match('^(.*/)') or ''
local pages, page_of, texts, headings, first, shown = {}, {}, {}, {}, {}, {}

local function fields(file)
  local lines = {}
  local handle = io.open(work .. '/' .. file)
  for line in handle and handle:lines() or function() end do
    local list = {}
    for field in (line .. '\t'):gmatch('([^\t]*)\t') do
      list[#list + 1] = field
    end
    lines[#lines + 1] = list
  end
  return lines
end

for _, line in ipairs(fields('pages.tsv')) do
  pages[#pages + 1] = {name = line[1], text = line[2], title = line[3], sections = {}}
  page_of[line[1]] = pages[#pages]
  texts[line[2]] = texts[line[2]] or line[1] -- the first page of a text
end
for _, line in ipairs(fields('headings.tsv')) do
  headings[line[1] .. '#' .. line[2]] = line[3]
  if line[4] == '1' then
    first[line[1] .. '#' .. line[2]] = true
  end
  if line[4] == '2' then
    table.insert(page_of[line[3]].sections, {id = line[2], title = line[5]})
  end
end

local function fail(what)
  io.stderr:write('site/build: ' .. text .. ': ' .. what .. '\n')
  os.exit(1)
end

local function escape(s)
  return (s:gsub('[&<>"]', {['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;'}))
end

local function html(s)
  return pandoc.RawBlock('html', s)
end

-- Whether a path is there: 'file', 'folder' or nil
local function what_is(path)
  local handle = io.open(path)
  if not handle then
    return nil
  end
  local _, _, code = handle:read(1)
  handle:close()
  return code == 21 and 'folder' or 'file' -- EISDIR
end

-- The page to which a link of this text leads
local function resolve(target)
  if target:match('^%a[%w+.-]*:') then
    return target
  end
  local path, id = target:match('^([^#]*)#?(.*)$')
  if path == '' then
    path = text
  else
    path = base .. path
    while path:match('[^/]+/%.%./') do
      path = path:gsub('[^/]+/%.%./', '', 1)
    end
  end
  path = path:gsub('/$', '')
  if texts[path] then
    local to = id == '' and texts[path] or headings[path .. '#' .. id] or fail('no heading for ' .. target)
    if to == page and id ~= '' then
      return '#' .. id
    end
    return root .. to .. '.html' .. ((id == '' or first[path .. '#' .. id]) and '' or '#' .. id)
  elseif path:match('%.svg$') then
    return root .. path
  end
  local it = what_is(path) or fail('no file ' .. target)
  shown[#shown + 1] = path
  return root .. path .. (it == 'folder' and '/index.html' or '.html')
end

-- The line at which an excerpt stands in its file, or 1
local function line_of(path, excerpt)
  local handle = io.open(path) or fail('no file ' .. path)
  local whole = '\n' .. handle:read('a')
  handle:close()
  local at = whole:find('\n' .. excerpt .. '\n', 1, true) or whole:find('\n' .. excerpt:match('^[^\n]*') .. '\n', 1, true) or 1
  local _, lines = whole:sub(1, at):gsub('\n', '')
  return lines
end

-- What is shown of a shell: each prompt is there to be seen alone, and commands stand out from what they print
local function console(code)
  local out = {}
  for line in (code .. '\n'):gmatch('([^\n]*)\n') do
    local prompt, command = line:match('^(%$ )(.*)$')
    if not prompt then
      prompt, command = line:match('^(lab# )(.*)$')
    end
    if prompt then
      line = '<span class="prompt">' .. prompt .. '</span><kbd>' .. escape(command) .. '</kbd>'
    else
      line = escape(line)
    end
    out[#out + 1] = line
  end
  return html('<pre class="console" tabindex="0"><code>' .. table.concat(out, '\n') .. '</code></pre>')
end

local function code_block(block)
  local file = block.attributes.file
  if file then
    shown[#shown + 1] = file
    local link = root .. file .. '.html'
    local line = line_of(file, block.text)
    block.attributes = {tabindex = '0'}
    return {
      html('<div class="excerpt"><p class="from"><a href="' .. escape(link) .. '#L-' .. line .. '">' .. escape(file) .. ', line ' .. line .. '</a></p>'),
      block, html('</div>')
    }
  elseif block.classes:includes('console') or (#block.classes == 0 and ('\n' .. block.text):match('\nlab# ')) then
    return console(block.text)
  elseif #block.classes == 0 then
    return html('<pre tabindex="0"><code>' .. escape(block.text) .. '</code></pre>')
  end
end

-- A table can be scrolled; one of texts is told apart, for narrow screens have it as a list.
local function scrollable(block)
  local columns, prose = {}, false
  for i, cell in ipairs(block.head.rows[1].cells) do
    columns[i] = pandoc.utils.stringify(cell.contents)
  end
  for _, body in ipairs(block.bodies) do
    for _, row in ipairs(body.body) do
      for i, cell in ipairs(row.cells) do
        prose = prose or i > 1 and #pandoc.utils.stringify(cell.contents) > 24
        if columns[i] and columns[i] ~= '' then
          cell.attr.attributes['data-column'] = columns[i]
        end
      end
    end
  end
  return {html('<div class="table' .. (prose and ' prose' or '') .. '" tabindex="0" role="region" aria-label="Table">'), block, html('</div>')}
end

-- A picture that stands alone is a figure, and leads to itself in full size.
local function figure(block)
  local image = block.content[1]
  if #block.content ~= 1 or image.t ~= 'Image' then
    return nil
  end
  local path = base .. image.src
  local handle = io.open(path) or fail('no file ' .. image.src)
  local width, height = handle:read(1000):match('viewBox="0 0 (%d+) (%d+)"')
  handle:close()
  local alt = escape(pandoc.utils.stringify(image.caption))
  return html(string.format('<figure><a href="%s"><img src="%s" alt="%s" width="%s" height="%s"></a></figure>', root .. path, root .. path, alt, width, height))
end

local function link_to(name, title, current)
  return '<a href="' .. escape(root .. name) .. '"' .. (current and ' aria-current="page"' or '') .. '>' .. escape(title) .. '</a>'
end

local function contents()
  local out = {'<h2>Tutorial</h2><ul>'}
  for _, chapter in ipairs(pages) do
    if chapter.text == 'TUTORIAL.md' then
      local here = chapter.name == page
      out[#out + 1] = '<li>' .. link_to(chapter.name .. '.html', chapter.title, here)
      if here and #chapter.sections > 0 then
        out[#out + 1] = '<ul>'
        for _, section in ipairs(chapter.sections) do
          out[#out + 1] = '<li><a href="#' .. section.id .. '">' .. escape(section.title) .. '</a></li>'
        end
        out[#out + 1] = '</ul>'
      end
      out[#out + 1] = '</li>'
    end
  end
  out[#out + 1] = '</ul><h2>Programs</h2><ul>'
  for _, line in ipairs(fields('folders')) do
    if line[1]:match('^%w[^/]*$') then -- those in them, and hidden ones, are found from there
      out[#out + 1] = '<li>' .. link_to(line[1] .. '/index.html', line[1], line[1] .. '/index' == page) .. '</li>'
    end
  end
  out[#out + 1] = '</ul><h2>About</h2><ul>'
  for _, other in ipairs(pages) do
    if other.text ~= 'TUTORIAL.md' then
      out[#out + 1] = '<li>' .. link_to(other.name .. '.html', other.title, other.name == page) .. '</li>'
    end
  end
  out[#out + 1] = '</ul>'
  return table.concat(out, '\n')
end

-- Links to the chapter before and the one after
local function neighbours()
  local chapters = {}
  for _, chapter in ipairs(pages) do
    if chapter.text == 'TUTORIAL.md' then
      chapters[#chapters + 1] = chapter
    end
  end
  for i, chapter in ipairs(chapters) do
    if chapter.name == page then
      local before, after = chapters[i - 1], chapters[i + 1]
      return (before and '<a class="previous" rel="prev" href="' .. before.name .. '.html"><span>Previous</span>' .. escape(before.title) .. '</a>' or '')
        .. (after and '<a class="next" rel="next" href="' .. after.name .. '.html"><span>Next</span>' .. escape(after.title) .. '</a>' or '')
    end
  end
  return ''
end

-- The chapter of a program: that of its folder
local function chapter_of(path)
  return page_of[path:match('^[^/]+')]
end

-- The programs of a chapter's folder
local function programs_of_chapter()
  local links = {}
  for _, line in ipairs(fields('programs.tsv')) do
    local chapter = chapter_of(line[1])
    if chapter and chapter.name == page and line[1]:match('%.c$') then
      links[#links + 1] = link_to(line[1] .. '.html', line[1]:match('[^/]+$'))
    end
  end
  return #links > 0 and html('<p class="programs">Programs of this chapter: ' .. table.concat(links, ', ') .. '</p>') or nil
end

-- The chapters of a program: that of its folder, and those that lead to it
local function chapters_of_program()
  local own = chapter_of(text)
  local links, known = {}, {}
  if own then
    links[1] = link_to(own.name .. '.html', own.title)
    known[own.name] = true
  end
  for _, line in ipairs(fields('shown.tsv')) do
    local other = page_of[line[1]]
    if line[2] == text and other and not known[other.name] then
      links[#links + 1] = link_to(other.name .. '.html', other.title)
      known[other.name] = true
    end
  end
  local folder = text:match('^(.*)/')
  local about = #links > 0 and '<p>Read about it in: ' .. table.concat(links, '; ') .. '</p>' or ''
  return html('<div class="about">' .. about .. '<p>' .. (folder and 'Folder: ' .. link_to(folder .. '/index.html', folder) .. '. ' or '')
    .. '<a href="' .. escape(root .. text) .. '">The file itself</a></p></div>')
end

function Pandoc(doc)
  local blocks = pandoc.Div(doc.blocks)
  if kind ~= 'program' then
    blocks = pandoc.walk_block(blocks, {
      Link = function(link)
        link.target = resolve(link.target)
        return link
      end,
      CodeBlock = code_block,
      Table = scrollable,
      Para = figure
    })
  end
  local content = blocks.content
  local title = page_of[page] and page_of[page].title or text
  if kind == 'program' then
    content:insert(1, pandoc.Header(1, {pandoc.Code(text)}))
    content:insert(2, chapters_of_program())
  elseif kind == 'folder' then
    local chapter = chapter_of(text .. '/')
    if chapter then
      content:insert(2, html('<p class="programs">Read about it in: ' .. link_to(chapter.name .. '.html', chapter.title) .. '</p>'))
    end
  else
    local programs = programs_of_chapter()
    if programs then
      content:insert(2, programs)
    end
  end
  local list = assert(io.open(work .. '/shown/' .. page:gsub('/', '%%'), 'w'))
  for _, path in ipairs(shown) do
    list:write(page, '\t', path, '\n')
  end
  list:close()
  local course = pages[1].title
  return pandoc.Pandoc(content, {
    pagetitle = title == course and course or title .. ' - ' .. course,
    course = course,
    root = root == '' and './' or root,
    program = kind == 'program',
    contents = pandoc.MetaBlocks({html(contents())}),
    neighbours = pandoc.MetaBlocks({html(neighbours())})
  })
end
