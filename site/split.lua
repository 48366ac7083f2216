-- split.lua - a pandoc filter: one of the course's texts as the pages of the site
--
-- Environment: TEXT, the text's path; WORK, a folder. Leaves there pages/NAME.json, a page for each chapter of TUTORIAL.md and one for
-- each other text, and adds to pages.tsv (name, text, title) and headings.tsv (text, identifier, page, level, title). The identifiers
-- are those that GitHub gives to the headings of the whole text, so that links are the same here and there.

local text, work = os.getenv('TEXT'), os.getenv('WORK')
local pages = assert(io.open(work .. '/pages.tsv', 'a'))
local headings = assert(io.open(work .. '/headings.tsv', 'a'))
local taken = {} -- names

-- The name of a chapter's page: that of the folder with its programs (its stage's, or the appendix that leads to some), or its identifier
local function name_of(title, identifier, blocks)
  local folder = nil
  local stage = title:match('^Stage (%d%d)')
  for name in os.getenv('STAGES'):gmatch('%S+') do
    folder = stage and name:sub(1, 3) == stage .. '-' and name or folder
  end
  if title:match('^Appendix') then
    pandoc.walk_block(pandoc.Div(blocks), {
      Link = function(link)
        folder = link.target:match('^(appendix)/') or folder
      end
    })
  end
  return folder and not taken[folder] and folder or identifier
end

local function write_page(page)
  if page.identifier then
    page.name = name_of(page.title, page.identifier, page.blocks)
  end
  taken[page.name] = true
  pages:write(page.name, '\t', text, '\t', page.title, '\n')
  for _, header in ipairs(page.headers) do
    headings:write(table.concat({text, header.identifier, page.name, header.level, pandoc.utils.stringify(header)}, '\t'), '\n')
  end
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
      page = {name = name, title = title or text, blocks = pandoc.List(), headers = {}, first = 1}
    elseif text == 'TUTORIAL.md' and is_header and block.level == 2 then
      write_page(page)
      page = {identifier = block.identifier, title = title, blocks = pandoc.List(), headers = {}, first = 2}
    end
    if is_header then
      block.level = block.level - page.first + 1
      table.insert(page.headers, block)
    end
    page.blocks:insert(block)
  end
  write_page(page)
  return pandoc.Pandoc({})
end
