-- split.lua - a pandoc filter: one of the course's texts as the pages of the site
--
-- Environment: TEXT, the text's path; WORK, a folder. Leaves there pages/NAME.json, a page for each chapter of TUTORIAL.md and one for
-- each other text, and adds to pages.tsv (name, text, title) and headings.tsv (text, identifier, page, level, title). The identifiers
-- are those that GitHub gives to the headings of the whole text, so that links are the same here and there.

local text, work = os.getenv('TEXT'), os.getenv('WORK')
local pages = assert(io.open(work .. '/pages.tsv', 'a'))
local headings = assert(io.open(work .. '/headings.tsv', 'a'))

-- The name of a chapter's page: that of its stage's folder, or its identifier
local function name_of(header)
  local stage = pandoc.utils.stringify(header):match('^Stage (%d%d)')
  for folder in os.getenv('STAGES'):gmatch('%S+') do
    if stage and folder:sub(1, 3) == stage .. '-' then
      return folder
    end
  end
  return header.identifier
end

local function write_page(page)
  pages:write(page.name, '\t', text, '\t', page.title, '\n')
  local path = work .. '/pages/' .. page.name:gsub('/', '%%') .. '.json'
  local file = assert(io.open(path, 'w'))
  file:write(pandoc.write(pandoc.Pandoc(page.blocks), 'json'))
  file:close()
end

function Pandoc(doc)
  local page
  for _, block in ipairs(doc.blocks) do
    local is_header = block.t == 'Header'
    local title = is_header and pandoc.utils.stringify(block)
    if not page then
      local name = text == 'TUTORIAL.md' and 'index' or text:gsub('%.md$', ''):gsub('[^/]*$', string.lower)
      page = {name = name, title = title or text, blocks = pandoc.List(), first = 1}
    elseif text == 'TUTORIAL.md' and is_header and block.level == 2 then
      write_page(page)
      page = {name = name_of(block), title = title, blocks = pandoc.List(), first = 2}
    end
    if is_header then
      block.level = block.level - page.first + 1
      headings:write(table.concat({text, block.identifier, page.name, block.level, title}, '\t'), '\n')
    end
    page.blocks:insert(block)
  end
  write_page(page)
  return pandoc.Pandoc({})
end
