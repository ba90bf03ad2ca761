import { graphql } from 'relay-runtime'

export const fragment = graphql`
  fragment Catalogue_artist on Artist
  @refetchable(queryName: "CataloguePaginationQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
    assets(first: $first, after: $after, order: NEWEST) @connection(key: "Catalogue_assets") {
      edges {
        node {
          id
          title
          ...AssetTitle_asset
        }
      }
    }
  }
`
